SELECT d0 AS "day",
       exact(d1) AS "format",
       count(*) AS "n",
       count(DISTINCT "user.id") AS "visitors"
FROM (SELECT *, "file.extension" AS d1 FROM (SELECT *, (epoch_ms("@timestamp") + 0) - (epoch_ms("@timestamp") + 0) % 86400000 AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2))
WHERE d1 IS NOT NULL
GROUP BY d0, d1
ORDER BY "day" DESC NULLS LAST, "format" ASC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
