SELECT exact(d0) AS "name",
       count(*) AS "n",
       count(*) FILTER (WHERE "browser.web_vital.rating" = $1) AS "good",
       count(*) FILTER (WHERE "browser.web_vital.rating" = $2) AS "poor",
       max("browser.web_vital.value") FILTER (WHERE "browser.web_vital.rating" = $2) AS "poorest"
FROM (SELECT *, "browser.web_vital.name" AS d0 FROM events
WHERE "@timestamp" >= $3
  AND "@timestamp" < $4
  AND "event.action" = $5)
WHERE d0 IS NOT NULL
GROUP BY d0
ORDER BY "n" DESC NULLS LAST, "name" ASC NULLS LAST
LIMIT 100000
-- $1 = "good"
-- $2 = "poor"
-- $3 = "2026-10-24T00:00:00.000Z"
-- $4 = "2026-10-27T00:00:00.000Z"
-- $5 = "vital"
