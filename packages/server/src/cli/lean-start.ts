import { enableCompileCache, flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

// Loading some 700 modules makes short-lived objects by the megabyte. V8 answers by growing each thread's young generation, and an idle
// process never gives that back: 25 MB held for a start long past. So it may not grow until the server is up.
setFlagsFromString('--semi-space-growth-factor=1');

// Compiled code is kept for the next start, in a folder of the user's own: one in /tmp could be somebody else's.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'binnacle', 'compile-cache'));

/** The start is over: memory may follow the load, with V8's own default. */
export function started(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
  flushCompileCache();
}
