SELECT count(*) AS "n"
FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2
  AND ("browser.web_vital.value" >= $3 AND "browser.web_vital.value" < $4)
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
-- $3 = 1200
-- $4 = 4800
