/** The refusal of an index that does not exist. */
import { ServerException } from '../errors/server-exception.ts';

/** 404 `index_not_found_exception` (general knowledge of Elasticsearch). */
export function indexNotFound(index: string): ServerException {
  return new ServerException(404, {
    type: 'index_not_found_exception',
    reason: `no such index [${index}]`,
    details: {
      'resource.type': 'index_or_alias',
      'resource.id': index,
      index_uuid: '_na_',
      index,
    },
  });
}
