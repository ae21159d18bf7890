SELECT exact(d0) AS "team",
       count(*) AS "n"
FROM (SELECT *, unnest(coalesce(texts(labels, $3), [$4])) AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2)
GROUP BY d0
ORDER BY "team" DESC NULLS LAST
LIMIT 1
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
-- $3 = "/team"
-- $4 = "(none)"
