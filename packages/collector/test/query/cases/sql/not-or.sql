SELECT count(*) AS "n"
FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2
  AND NOT coalesce(("item" = $3 OR (contains(labels, $5)) AND list_has_any(texts(labels, $4), [$5])), false)
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
-- $3 = "trees"
-- $4 = "/team"
-- $5 = "parks"
