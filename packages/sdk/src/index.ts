export { type CallInput, type CallOptions, type CallResult, type Client, type ClientOptions, createClient } from './client.ts';
export { BinnacleApiError } from './errors.ts';
export { type Histogram, histogram } from './histogram.ts';
export type { SendOptions } from './http-sink.ts';
export { IMAGE_SCALES, type ImageInput, imageInput, imageRequest, type ImageScale, imageTensor, type Score, topScores } from './image.ts';
export { type FileContent, type FileOfStep, RunLogger, type RunOptions, type StartRunOptions, startRun } from './run-logger.ts';
