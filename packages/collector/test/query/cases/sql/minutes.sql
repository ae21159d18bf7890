SELECT d0 AS "minute",
       count(*) AS "n"
FROM (SELECT *, epoch_ms("@timestamp") - (epoch_ms("@timestamp") + 3600000) % 60000 AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2)
GROUP BY d0
ORDER BY "minute" ASC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-26T08:01:00.000Z"
-- $2 = "2026-10-26T08:04:00.000Z"
