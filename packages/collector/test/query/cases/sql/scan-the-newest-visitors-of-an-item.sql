SELECT exact("user.id") AS "visitor",
       exact("item") AS "item"
FROM (SELECT * FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2
  AND ("service.name" = $3 AND "event.action" = $4)) AS events
WHERE "user.id" IN (SELECT "user.id" FROM (SELECT * FROM events
WHERE "@timestamp" >= $5
  AND "@timestamp" < $6
  AND ("service.name" = $3 AND starts_with("item", $7)))
    WHERE "user.id" IS NOT NULL
    GROUP BY "user.id" ORDER BY max("@timestamp") DESC, min("user.id") LIMIT 1)
ORDER BY events."user.id" NULLS LAST, events."@timestamp", "journal.collector", "journal.sequence"
LIMIT 100
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
-- $3 = "catalogue"
-- $4 = "view"
-- $5 = "2026-10-24T00:00:00.000Z"
-- $6 = "2026-10-27T00:00:00.000Z"
-- $7 = "roads"
