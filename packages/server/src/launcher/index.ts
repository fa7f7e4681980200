/** Programs and threads as the operating system sees them: started without holding up the server, and giving way to it. */
export { launch, prepareLauncher } from './launch.ts';
export { closed, type LaunchOptions, type Program, type ProgramExit } from './program.ts';
export { giveWay, threadGivesWay } from './niceness.ts';
