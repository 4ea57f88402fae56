/** Secrets of Elastic-managed connectors (source: the official client's types; messages general knowledge). */
import { newDocumentId } from '../document-id.ts';
import { parseFailure, resourceNotFound } from '../errors/server-exception.ts';
import { string } from '../json/field-types.ts';
import { parseBody } from '../json/object-parser.ts';
import type { Call, Prepared } from '../route.ts';

function readSecret(call: Call): { readonly value: string; readonly problems: readonly string[] } {
  if (call.body.length === 0) throw parseFailure('request body is required');
  const values = parseBody(call.body, {
    name: 'post_secret_request',
    fields: { value: { type: string, required: true } },
  });
  const value = String(values['value']);
  return {
    value,
    problems: value === '' ? ['[value] of the connector secret cannot be [null] or [""]'] : [],
  };
}

/** POST `/_connector/_secret`. */
export function createSecret(call: Call): Prepared {
  const { value, problems } = readSecret(call);
  return {
    problems,
    execute: () => {
      const id = newDocumentId();
      call.cluster.secrets.put(id, { value });
      return { status: 200, body: { id } };
    },
  };
}

/** PUT `/_connector/_secret/{id}`. */
export function putSecret(call: Call): Prepared {
  const { value, problems } = readSecret(call);
  return {
    problems,
    execute: () => {
      const created = call.cluster.secrets.put(call.path['id'] ?? '', { value });
      return { status: created ? 201 : 200, body: { result: created ? 'created' : 'updated' } };
    },
  };
}

/** GET `/_connector/_secret/{id}`. */
export function getSecret(call: Call): Prepared {
  const id = call.path['id'] ?? '';
  return {
    execute: () => {
      const source = call.cluster.secrets.source(id);
      if (source === undefined) throw resourceNotFound(`No secret with id [${id}]`);
      return { status: 200, body: { id, value: source['value'] } };
    },
  };
}

/** DELETE `/_connector/_secret/{id}`. */
export function deleteSecret(call: Call): Prepared {
  const id = call.path['id'] ?? '';
  return {
    execute: () => {
      if (!call.cluster.secrets.delete(id)) throw resourceNotFound(`No secret with id [${id}]`);
      return { status: 200, body: { deleted: true } };
    },
  };
}
