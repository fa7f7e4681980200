#!/usr/bin/env node
import { beginWithLimits } from './cli/memory-limits.ts';

beginWithLimits();
// Imported only now: what they load is to profit from the line above, and the second from the first.
await import('./cli/lean-start.ts');
const { runCli } = await import('./cli/index.ts');
process.exitCode = await runCli(process.argv);
