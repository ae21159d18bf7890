import { Database } from '../../packages/collector/src/store/duckdb/database.ts';
import { DAY_MS, type Size } from './catalogue.ts';

/** Days that are made and sorted by time in one statement. */
const PIECE_EVENTS = 2_000_000;
/** As delivery hands them over. */
const BATCH_EVENTS = 20_000;

/**
 * Fills an empty store, as delivery would have over a year of `size.days` that ends with `to`
 * (epoch ms of a UTC midnight): the same tables in the same order of arrival, but made by the
 * engine itself, for reading lines would take an hour. A visitor lasts a day, looks at eight
 * things within some minutes, and two in five of them are neighbours of the first.
 */
export async function fillDuckdb(
  dataDir: string,
  size: Size,
  to: number,
  log: (line: string) => void,
): Promise<void> {
  const database = await Database.open({ dataDir, threads: 2, memoryMb: 4096 });
  const { writer } = database;
  const perDay = Math.floor(size.events / size.days);
  const daysEach = Math.max(1, Math.floor(PIECE_EVENTS / perDay));
  for (let day = 0; day < size.days; day += daysEach) {
    const until = Math.min(day + daysEach, size.days);
    await writer.run(insertSql(size, to - size.days * DAY_MS, day * perDay, until * perDay));
    if (day % 50 < daysEach) log(`${until} of ${size.days} days are filled`);
  }
  // As delivery leaves it: the next batch has the next number.
  await writer.run(`INSERT INTO tallies
    SELECT "journal.collector", 1, max("journal.sequence"), count(*), 0, 0, 0, 0, max(batch)
    FROM events GROUP BY 1`);
  await writer.run('CHECKPOINT');
  await database.close();
}

function insertSql(size: Size, start: number, first: number, end: number): string {
  const perDay = Math.floor(size.events / size.days);
  const each = Math.max(1, Math.round(size.events / size.visitors));
  const u = (of: string, salt: number): string =>
    `((hash(${of} * 64 + ${salt} + ${size.seed} * 1000003) & 4294967295) / 4294967296.0)`;
  const pick = (of: string, salt: number, ...values: readonly string[]): string =>
    `[${values.map((value) => `'${value}'`).join(', ')}][1 + CAST(floor(${u(of, salt)} * ${values.length}) AS INTEGER)]`;
  return `
INSERT INTO events ("journal.collector", "journal.segment", "journal.sequence", batch,
  "@timestamp", "event.ingested", "event.created", "event.id", "event.action", "service.name",
  item, "url.full", "url.domain", "url.path", title, "http.request.referrer", referer,
  "file.extension", "page.id", "user.id", "visitor.daily", duration,
  "browser.web_vital.name", "browser.web_vital.value", "browser.web_vital.rating",
  "error.message", "error.grouping_key", "user_agent.name", "user_agent.version",
  "user_agent.os.name", "user_agent.device.type", "browser.language", bot, labels, metrics)
WITH numbered AS (
  SELECT range AS n, range // ${perDay} AS day, (range % ${perDay}) // ${each} AS visit,
    (range % ${perDay}) % ${each} AS step,
    (range // ${perDay}) * 1000000 + (range % ${perDay}) // ${each} AS visitor
  FROM range(${first}, ${end})),
drawn AS (
  SELECT *, ${u('n', 1)} AS what,
    least(${size.items}, CASE WHEN step > 0 AND ${u('n', 2)} < 0.4
      THEN floor(pow(${size.items + 1}, ${u('visitor', 3)})) + floor(${u('n', 4)} * 10)
      WHEN step = 0 THEN floor(pow(${size.items + 1}, ${u('visitor', 3)}))
      ELSE floor(pow(${size.items + 1}, ${u('n', 5)})) END)::INTEGER AS rank,
    ${start} + day * ${DAY_MS} + floor(${u('visitor', 6)} * ${DAY_MS - each * 90_000})::BIGINT
      + step * 60000 + floor(${u('n', 7)} * 60000)::BIGINT AS ms
  FROM numbered),
named AS (
  SELECT *, CASE WHEN what < 0.75 THEN 'view' WHEN what < 0.83 THEN 'download'
      WHEN what < 0.93 THEN 'engagement' WHEN what < 0.97 THEN 'vital'
      WHEN what < 0.98 THEN 'error' ELSE 'outbound' END AS action,
    'road-network-' || rank AS item, 1 + floor(pow(2000, ${u('n', 8)})) AS source,
    row_number() OVER (ORDER BY ms, n) AS place
  FROM drawn)
SELECT 'bench', 1, ${first} + place, (${first} + place) // ${BATCH_EVENTS} + 1,
  make_timestamp(ms * 1000), make_timestamp(ms * 1000 + 150000), make_timestamp(ms * 1000),
  substr(md5(CAST(n AS VARCHAR)), 1, 22), action, 'default',
  item, 'https://data.example.org/datasets/' || item || '?tab=preview', 'data.example.org',
  '/datasets/' || item, item || ' · Open data',
  CASE WHEN step = 0 AND action = 'view' AND source < 1200
    THEN 'https://www.site-' || source || '.example/articles/' || source END,
  CASE WHEN step = 0 AND action = 'view' AND source < 1200
    THEN 'site-' || source || '.example/articles/' || source END,
  CASE WHEN action = 'download' THEN ${pick('n', 9, 'csv', 'kml', 'geojson', 'xlsx', 'zip')} END,
  substr(md5('p' || n // 2), 1, 22), substr(md5('v' || visitor), 1, 22), true,
  CASE WHEN action = 'engagement' THEN 1000 + floor(${u('n', 10)} * 60000) END,
  CASE WHEN action = 'vital' THEN ${pick('n', 11, 'LCP', 'CLS', 'INP')} END,
  CASE WHEN action = 'vital' THEN floor(${u('n', 12)} * 4000) END,
  CASE WHEN action = 'vital' THEN 'good' END,
  CASE WHEN action = 'error' THEN 'TypeError: x' || floor(${u('n', 13)} * 40) || ' is undefined' END,
  CASE WHEN action = 'error' THEN 'f' || floor(${u('n', 13)} * 40) END,
  ${pick('visitor', 14, 'Chrome', 'Firefox', 'Safari', 'Edge')},
  CAST(100 + floor(${u('visitor', 15)} * 50) AS VARCHAR),
  ${pick('visitor', 16, 'Windows', 'macOS', 'Linux', 'Android', 'iOS')},
  ${pick('visitor', 17, 'desktop', 'desktop', 'mobile')}, ${pick('visitor', 18, 'en-US', 'de', 'fr')},
  CASE WHEN ${u('visitor', 19)} < 0.03 THEN true END,
  CASE WHEN action = 'download' THEN '{"region":"region-' || floor(${u('visitor', 20)} * 16)
    || '","bytes":"' || (20000 + n % 5000) || '"}' END,
  CASE WHEN action = 'download' THEN '{"bytes":' || (20000 + n % 5000) || '}' END
FROM named ORDER BY place`;
}
