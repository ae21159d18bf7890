SELECT d0 AS "hour",
       count(*) AS "n"
FROM (SELECT *, epoch_ms("@timestamp") - (epoch_ms("@timestamp") + 19800000) % 3600000 AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2)
GROUP BY d0
ORDER BY "hour" ASC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-25T00:00:00.000Z"
-- $2 = "2026-10-25T12:00:00.000Z"
