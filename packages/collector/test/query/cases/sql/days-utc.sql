SELECT d0 AS "day",
       count(*) AS "n"
FROM (SELECT *, (epoch_ms("@timestamp") + 0) - (epoch_ms("@timestamp") + 0) % 86400000 AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2)
GROUP BY d0
ORDER BY "day" DESC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
