SELECT d0 AS "hour",
       count(*) AS "n"
FROM (SELECT *, epoch_ms("@timestamp") - (epoch_ms("@timestamp") + CASE WHEN epoch_ms("@timestamp") < 1792890000000 THEN 7200000 ELSE 3600000 END) % 3600000 AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2)
GROUP BY d0
ORDER BY "hour" ASC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-24T22:00:00.000Z"
-- $2 = "2026-10-25T23:00:00.000Z"
