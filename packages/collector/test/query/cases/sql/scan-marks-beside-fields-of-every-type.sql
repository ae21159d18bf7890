SELECT exact("event.action") AS "event",
       "http.response.status_code" AS "status",
       CAST("bot" AS VARCHAR) AS "bot",
       "duration" AS "duration",
       CAST(coalesce((contains(labels, $2)) AND list_has_any(texts(labels, $1), [$2]), false) AS INTEGER) AS "parks",
       CAST(coalesce(("duration" >= $3), false) AS INTEGER) AS "long"
FROM (SELECT * FROM events
WHERE "@timestamp" >= $4
  AND "@timestamp" < $5
  AND ("duration" IS NOT NULL OR "bot" IS NOT NULL OR "http.response.status_code" IS NOT NULL)) AS events
ORDER BY events."user.id" NULLS LAST, events."@timestamp", "journal.collector", "journal.sequence"
LIMIT 100
-- $1 = "/team"
-- $2 = "parks"
-- $3 = 60000
-- $4 = "2026-10-24T00:00:00.000Z"
-- $5 = "2026-10-27T00:00:00.000Z"
