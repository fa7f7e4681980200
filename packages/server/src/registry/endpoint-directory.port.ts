/** Who serves a model. Serving implements it; the registry asks before deleting and when listing. */
export interface EndpointDirectory {
  endpointsOf(model: string): Promise<{ endpoint: string; versions: number[] }[]>;
}
