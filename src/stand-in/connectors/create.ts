/** PUT and POST of connectors, and GET of one. */
import { newDocumentId } from '../document-id.ts';
import { resourceNotFound } from '../errors/server-exception.ts';
import { boolean, string, stringOrNull } from '../json/field-types.ts';
import type { BodyDeclaration } from '../json/object-parser.ts';
import { parseBody } from '../json/object-parser.ts';
import type { Call, Prepared } from '../route.ts';
import { defaultFiltering, defaultScheduling } from './defaults.ts';

const body: BodyDeclaration = {
  name: 'connector_put_request',
  fields: {
    description: { type: string },
    index_name: { type: stringOrNull },
    is_native: { type: boolean },
    language: { type: string },
    name: { type: string },
    service_type: { type: string },
  },
};

/** Creates a connector, or sets an existing one back to how it began. */
export function createConnector(call: Call): Prepared {
  const { cluster } = call;
  const id = call.path['connector_id'] ?? newDocumentId();
  const values = call.body.length === 0 ? {} : parseBody(call.body, body);
  return {
    execute: () => {
      const created = cluster.connectors.put(id, {
        configuration: {},
        custom_scheduling: {},
        ...values,
        filtering: defaultFiltering(cluster.clock()),
        scheduling: defaultScheduling(),
      });
      return { status: created ? 201 : 200, body: { id, result: created ? 'created' : 'updated' } };
    },
  };
}

/** Answers with the connector, its id first. */
export function getConnector(call: Call): Prepared {
  const id = call.path['connector_id'] ?? '';
  return {
    execute: () => {
      const source = call.cluster.connectors.source(id);
      if (source === undefined) throw resourceNotFound(`connector [${id}] not found`);
      return { status: 200, body: { id, ...source } };
    },
  };
}
