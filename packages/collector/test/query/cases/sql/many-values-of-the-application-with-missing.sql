SELECT exact(d0) AS "team",
       count(*) AS "n"
FROM (SELECT *, unnest(coalesce(texts(labels, $4), [$5])) AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2
  AND "event.action" = $3)
GROUP BY d0
ORDER BY "n" DESC NULLS LAST, "team" ASC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
-- $3 = "view"
-- $4 = "/team"
-- $5 = "(none)"
