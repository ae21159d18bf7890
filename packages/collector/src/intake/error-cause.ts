import { hash } from 'node:crypto';

const HASH_LENGTH = 16;
/** What tells errors apart stands at the beginning. */
const MESSAGE_LENGTH_MAX = 1024;
const STACK_LENGTH_MAX = 4096;
const FRAME_LENGTH_MAX = 256;
const EXTENSION =
  /(?:chrome|moz|safari(?:-web)?|ms-browser|webkit-masked)-extension:\/\/|^safari-extension:/iu;
/** All that a browser says of an error in a script of another origin. */
const SCRIPT_ERROR = /^script error\.?$/iu;

/**
 * The same for errors of one cause: the message without what differs from visitor to visitor
 * (URLs, ids, numbers), and the function and file of the innermost stack frame, without the
 * line, which moves with each release.
 */
export function errorCause(message: string, stack: string): string {
  return hash('sha256', `${withoutParticulars(message)}\n${topFrame(stack)}`).slice(0, HASH_LENGTH);
}

/** Errors that are not the site's own: of browser extensions, or of scripts elsewhere. */
export function isNoise(message: string, stack: string, source: string): boolean {
  if (EXTENSION.test(source)) return true;
  return EXTENSION.test(frameOf(stack)) || (SCRIPT_ERROR.test(message) && frameOf(stack) === '');
}

function withoutParticulars(text: string): string {
  return text
    .slice(0, MESSAGE_LENGTH_MAX)
    .replace(/\b[a-z][a-z\d+.-]{1,31}:\/\/[^\s"'<>()]+/giu, '<url>')
    .replace(/\b[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}\b/giu, '<id>')
    .replace(/\b(?=[a-f]*\d)[\da-f]{8,}\b/giu, '<id>')
    .replace(/\d+/gu, '<n>');
}

/** The first line that names a place: `at f (https://…:1:2)` or `f@https://…:1:2`. */
function frameOf(stack: string): string {
  return (
    stack
      .slice(0, STACK_LENGTH_MAX)
      .split('\n')
      .find((line) => /^\s*at\s|:\d+:\d+\)?\s*$/u.test(line))
      ?.trim() ?? ''
  );
}

function topFrame(stack: string): string {
  const frame = frameOf(stack)
    .slice(-FRAME_LENGTH_MAX)
    .replace(/:\d+(?::\d+)?\)?$/u, '');
  const [, call = '', place = ''] = /^(?:at\s+)?(.*?)\(?([^\s(@]*)$/u.exec(frame) ?? [];
  const file =
    place
      .replace(/[?#].*$/u, '')
      .split('/')
      .at(-1) ?? '';
  // Bundles carry a hash of their content in their names.
  return `${call.trim().replace(/@$/u, '')} ${file.replace(/[-.][\w-]{6,}(?=\.\w+$)/u, '')}`;
}
