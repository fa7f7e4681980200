import { newId } from '../kernel/index.ts';
import { randomName } from './names.ts';
import { keyToToken, type LoggedModelSearchRequest, toLoggedModelQuery } from './search.ts';
import type { TrackingStore } from './tracking.port.ts';
import type { KeyValue, LoggedModelRecord, LoggedModelStatus } from './types.ts';
import * as check from './validation.ts';

export function loggedModelUseCases(store: TrackingStore) {
  return {
    async createLoggedModel(input: {
      experimentId: string;
      name?: string | undefined;
      modelType?: string | undefined;
      sourceRunId?: string | undefined;
      params?: KeyValue[];
      tags?: KeyValue[];
    }): Promise<LoggedModelRecord> {
      const name = input.name || randomName();
      check.checkLoggedModelName(name);
      const { params = [], tags = [] } = input;
      check.checkModelTexts(params, 'param');
      check.checkModelTexts(tags, 'tag');
      return store.createLoggedModel({
        modelId: `m-${newId()}`,
        experimentId: input.experimentId,
        name,
        modelType: input.modelType ?? '',
        sourceRunId: input.sourceRunId ?? '',
        params,
        tags,
      });
    },
    getLoggedModel: (modelId: string, options: { allowDeleted?: boolean } = {}): Promise<LoggedModelRecord> =>
      store.getLoggedModel(modelId, options.allowDeleted ?? false),
    getLoggedModels: (modelIds: string[]): Promise<LoggedModelRecord[]> => store.getLoggedModels(modelIds),
    finalizeLoggedModel: (modelId: string, status: LoggedModelStatus): Promise<LoggedModelRecord> => store.finalizeLoggedModel(modelId, status),
    deleteLoggedModel: (modelId: string): Promise<void> => store.deleteLoggedModel(modelId),
    async setLoggedModelTags(modelId: string, tags: KeyValue[]): Promise<void> {
      check.checkModelTexts(tags, 'tag');
      await store.setLoggedModelTags(modelId, tags);
    },
    deleteLoggedModelTag: (modelId: string, key: string): Promise<void> => store.deleteLoggedModelTag(modelId, key),
    async logLoggedModelParams(modelId: string, params: KeyValue[]): Promise<void> {
      check.checkModelTexts(params, 'param');
      await store.logLoggedModelParams(modelId, params);
    },
    async searchLoggedModels(request: LoggedModelSearchRequest): Promise<{ models: LoggedModelRecord[]; nextPageToken: string | undefined }> {
      const { models, next } = await store.searchLoggedModels(toLoggedModelQuery(request));
      return { models, nextPageToken: keyToToken(next) };
    },
  };
}
