SELECT exact(d0) AS "referer",
       count(*) AS "n",
       count(DISTINCT "user.id") AS "visitors"
FROM (SELECT *, coalesce("referer", $4) AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2
  AND "event.action" = $3)
GROUP BY d0
ORDER BY "n" DESC NULLS LAST, "referer" ASC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
-- $3 = "view"
-- $4 = "(none)"
