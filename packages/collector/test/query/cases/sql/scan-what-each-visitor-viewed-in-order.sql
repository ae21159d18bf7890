SELECT exact("user.id") AS "visitor",
       epoch_ms("@timestamp") AS "time",
       exact("item") AS "item"
FROM (SELECT * FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2
  AND ("service.name" = $3 AND "event.action" = $4)) AS events
ORDER BY events."user.id" NULLS LAST, events."@timestamp", "journal.collector", "journal.sequence"
LIMIT 100
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
-- $3 = "catalogue"
-- $4 = "view"
