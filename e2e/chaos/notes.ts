import type { Scene } from './scene.ts';

/** What was seen to hold; what did not is a violation. */
export interface Notes {
  readonly notes: string[];
  expect(what: string, holds: Promise<boolean>): Promise<void>;
}

export function notesOf({ book, say }: Scene): Notes {
  const notes: string[] = [];
  return {
    notes,
    async expect(what, holds) {
      if (await holds) notes.push(what);
      else book.violated(`It was not so: ${what}.`);
      say(notes.at(-1) === what ? what : `VIOLATION ${book.violations.at(-1)}`);
    },
  };
}
