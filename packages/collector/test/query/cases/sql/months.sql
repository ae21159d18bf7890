SELECT d0 AS "month",
       count(*) AS "n"
FROM (SELECT *, epoch_ms(date_trunc('month', make_timestamp((epoch_ms("@timestamp") + CASE WHEN epoch_ms("@timestamp") < 1792890000000 THEN 7200000 ELSE 3600000 END) * 1000))) AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2)
GROUP BY d0
ORDER BY "n" DESC NULLS LAST, "month" ASC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
