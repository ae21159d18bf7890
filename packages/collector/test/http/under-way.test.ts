import { expect, test } from 'vitest';
import { UnderWay } from '../../src/http/under-way.ts';

test('who asks for the same at one time shares it, also its failure; who asks later does not', async () => {
  const underWay = new UnderWay<number>();
  let calls = 0;
  const find = async (): Promise<number> => {
    const call = ++calls;
    await Promise.resolve();
    if (call === 2) throw new Error('away');
    return call;
  };
  const ask = (name: string): Promise<number> => underWay.share(name, find);
  expect(await Promise.all([ask('a'), ask('a')])).toEqual([1, 1]);
  const [first, second] = await Promise.allSettled([ask('a'), ask('a')]);
  expect([first.status, second.status, calls]).toEqual(['rejected', 'rejected', 2]);
  expect(await Promise.all([ask('a'), ask('b')])).toEqual([3, 4]);
});
