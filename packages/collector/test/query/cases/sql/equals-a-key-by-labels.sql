SELECT count(*) AS "n"
FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2
  AND (contains(labels, $4)) AND list_has_any(texts(labels, $3), [$4])
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
-- $3 = "/team"
-- $4 = "parks"
