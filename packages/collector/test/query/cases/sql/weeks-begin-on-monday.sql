SELECT d0 AS "week",
       count(*) AS "n"
FROM (SELECT *, epoch_ms(date_trunc('week', make_timestamp((epoch_ms("@timestamp") + -14400000) * 1000))) AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2)
GROUP BY d0
ORDER BY "week" ASC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
