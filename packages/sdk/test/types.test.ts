import { expectTypeOf, test } from 'vitest';
import type * as Core from '../src/core.ts';
import type * as Sdk from '../src/index.ts';

test('start takes options and returns a handle', () => {
  expectTypeOf<typeof Sdk.start>().parameters.toEqualTypeOf<[options: Sdk.Options]>();
  expectTypeOf<typeof Sdk.start>().returns.toEqualTypeOf<Sdk.Metronome>();
  expectTypeOf<typeof Core.start>().parameter(1).toEqualTypeOf<Core.Instrumentations>();
});

test('the functions are those of the handle', () => {
  for (const name of ['track', 'view', 'setItem', 'consent', 'use', 'stop'] as const) {
    expectTypeOf<(typeof Sdk)[typeof name]>().toExtend<Sdk.Metronome[typeof name]>();
  }
  expectTypeOf<typeof Sdk.flush>().returns.toEqualTypeOf<Promise<void>>();
});

test('an instrumentation emits events and may know the page', () => {
  const copies: Sdk.Instrumentation = (emit, { listen, view, app }) => {
    expectTypeOf(app).toEqualTypeOf<string | undefined>();
    listen<ClipboardEvent>('copy', ({ clipboardData }) =>
      emit('copy', { url: view().url, types: clipboardData?.types.join() }),
    );
  };
  expectTypeOf(copies).toExtend<Sdk.Instrumentations[string]>();
});

test('wrong options are errors', () => {
  // @ts-expect-error no such answer
  ({}) as Sdk.Options satisfies { consent?: 'maybe' };
  // @ts-expect-error a list of names
  const scrub: Sdk.Options = { scrub: 1 };
  expectTypeOf(scrub).toEqualTypeOf<Sdk.Options>();
});
