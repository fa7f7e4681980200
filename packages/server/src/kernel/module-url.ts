/**
 * The URL of a module beside the caller's, with the caller's own ending: sources run unbuilt as `.ts`, packages as `.js`, and
 * TypeScript rewrites import specifiers but not URLs given to worker threads.
 */
export const siblingModule = (path: string, callerUrl: string): URL => new URL(`${path}${callerUrl.endsWith('.ts') ? '.ts' : '.js'}`, callerUrl);
