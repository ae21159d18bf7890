import { DatabaseSync } from 'node:sqlite';
import { DuckDBInstance } from '@duckdb/node-api';
import { DAY_MS, itemAt, itemName, randomFrom, type Size } from './catalogue.ts';
import { inSqlite, tockSql } from './plain-sql.ts';
import { type Times, timesOf } from './timing.ts';

/** Every n-th event of a DuckDB file, with what a tock needs and the index that it wants. */
export async function fillSqlite(file: string, duckdbFile: string, every: number): Promise<void> {
  const instance = await DuckDBInstance.create(duckdbFile, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const database = new DatabaseSync(file);
  database.exec(
    `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
     CREATE TABLE events (time INTEGER, app TEXT, item TEXT, event TEXT, bot INTEGER, format TEXT, referer TEXT);
     BEGIN`,
  );
  const insert = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)');
  const result = await connection.stream(
    `SELECT CAST(epoch_ms("@timestamp") AS DOUBLE), "service.name", item, "event.action",
       CAST(bot AS INTEGER), "file.extension", referer
     FROM events WHERE "journal.sequence" % ${every} = 0`,
  );
  for await (const rows of result.yieldRows()) {
    for (const row of rows) insert.run(...(row as (string | number | null)[]));
  }
  database.exec('COMMIT; CREATE INDEX by_item ON events (item, time); ANALYZE');
  database.close();
  connection.closeSync();
  instance.closeSync();
}

/** The same tocks as elsewhere; the site has no index to help it. */
export async function sqliteTimes(
  file: string,
  size: Size,
  until: number,
): Promise<{ readonly tock: Times; readonly mostViewed: Times; readonly site: Times }> {
  const database = new DatabaseSync(file, { readOnly: true });
  const random = randomFrom(size.seed);
  const tock = (item?: string, days = 30): void => {
    const scope = { from: until - days * DAY_MS, to: until };
    for (const sql of tockSql(inSqlite, { ...scope, ...(item !== undefined && { item }) })) {
      database.prepare(sql).all();
    }
  };
  try {
    await timesOf(10, () => tock(itemAt(random(), size)));
    return {
      tock: await timesOf(100, () => tock(itemAt(random(), size))),
      mostViewed: await timesOf(5, () => tock(itemName(1))),
      site: await timesOf(2, () => tock(undefined, 90)),
    };
  } finally {
    database.close();
  }
}
