SELECT d0 AS "bot",
       d1 AS "status",
       count(*) AS "n"
FROM (SELECT *, "http.response.status_code" AS d1 FROM (SELECT *, coalesce(CAST("bot" AS VARCHAR), $3) AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2))
WHERE d1 IS NOT NULL
GROUP BY d0, d1
ORDER BY "n" DESC NULLS LAST, "bot" ASC NULLS LAST, "status" ASC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
-- $3 = "false"
