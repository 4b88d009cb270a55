import { setFlagsFromString } from 'node:v8';

/** Versions of V8 that are known to have the flag; others say on standard error that they have not. */
const KNOWN = { from: 11, to: 14 };

/**
 * Keeps the part of the heap for new objects as it is from now on, in the whole process. V8 lets it grow to 48 MiB in a long
 * export, which gains nothing: hardly any object outlives the page that it was made for. Not for a daemon, whose other
 * work the flag would slow down.
 */
export function keepHeapSmall(): void {
  const major = Number(process.versions.v8.split('.')[0]);
  if (major >= KNOWN.from && major <= KNOWN.to) setFlagsFromString('--semi-space-growth-factor=1');
}
