/** PUT `_filtering` and its steps: a draft is edited, validated by the connector service, then activated. */
import type { Cluster } from '../cluster/cluster.ts';
import { illegalArgument, statusException } from '../errors/server-exception.ts';
import {
  checkedString,
  instant,
  integer,
  nested,
  nestedArray,
  objectOrArray,
  string,
  stringArray,
} from '../json/field-types.ts';
import type { BodyDeclaration, FieldType } from '../json/object-parser.ts';
import { isObject, type JsonObject } from '../json/read-value.ts';
import type { Call, Prepared } from '../route.ts';
import { connectorUpdate, findConnector } from './shared.ts';

type Handler = (call: Call) => Prepared;

/** A field whose text must be one of a few, in any case. */
function oneOf(kind: string, values: readonly string[]): FieldType {
  return checkedString((text) => {
    const found = values.find((value) => value === text.toLowerCase());
    if (found === undefined) throw illegalArgument(`Unknown ${kind} [${text}].`);
    return found;
  });
}

const conditions = ['contains', 'ends_with', 'equals', 'regex', 'starts_with', '>', '<'];

const ruleBody: BodyDeclaration = {
  name: 'connector_filtering_rule',
  lenient: true,
  fields: {
    created_at: { type: instant },
    field: { type: string, required: true },
    id: { type: string, required: true },
    order: { type: integer, required: true },
    policy: { type: oneOf('FilteringPolicy', ['exclude', 'include']), required: true },
    rule: { type: oneOf('FilteringRuleCondition', conditions), required: true },
    updated_at: { type: instant },
    value: { type: string, required: true },
  },
};

const snippetBody: BodyDeclaration = {
  name: 'connector_filtering_advanced_snippet',
  lenient: true,
  fields: {
    created_at: { type: instant },
    updated_at: { type: instant },
    value: { type: objectOrArray, required: true },
  },
};

const validationBody: BodyDeclaration = {
  name: 'filtering_validation_info',
  lenient: true,
  fields: {
    errors: {
      required: true,
      type: nestedArray({
        name: 'filtering_validation',
        lenient: true,
        fields: {
          ids: { type: stringArray, required: true },
          messages: { type: stringArray, required: true },
        },
      }),
    },
    state: { type: oneOf('FilteringValidationState', ['edited', 'invalid', 'valid']), required: true },
  },
};

const rulesBody: BodyDeclaration = {
  name: 'connector_filtering_rules',
  lenient: true,
  fields: {
    advanced_snippet: { type: nested(snippetBody), required: true },
    rules: { type: nestedArray(ruleBody), required: true },
    validation: { type: nested(validationBody), required: true },
  },
};

/** PUT `_filtering`: the whole filtering, or rules and snippet of the draft alone. */
export const updateFiltering: Handler = connectorUpdate({
  body: {
    name: 'connector_update_filtering_request',
    fields: {
      filtering: {
        type: nestedArray({
          name: 'connector_filtering',
          lenient: true,
          fields: {
            active: { type: nested(rulesBody), required: true },
            draft: { type: nested(rulesBody), required: true },
          },
        }),
      },
      advanced_snippet: { type: nested(snippetBody) },
      rules: { type: nestedArray(ruleBody) },
    },
  },
  problems: (values) => {
    const hasParts = values['rules'] !== undefined || values['advanced_snippet'] !== undefined;
    if (values['filtering'] === undefined) {
      return hasParts ? [] : ['[advanced_snippet] and [rules] cannot be both [null].'];
    }
    return hasParts
      ? [
          'If [filtering] is specified, [rules] and [advanced_snippet] should not be present in the request body.',
        ]
      : [];
  },
  apply: (cluster, id, values) => {
    const now = cluster.clock();
    const whole = values['filtering'];
    if (Array.isArray(whole)) {
      const filtering = whole.filter(isObject).map((entry) => ({
        active: stampRules(entry['active'], now),
        domain: 'DEFAULT',
        draft: stampRules(entry['draft'], now),
      }));
      return cluster.connectors.update(id, { filtering });
    }
    return changeDraft(cluster, id, (draft) => ({
      advanced_snippet:
        values['advanced_snippet'] === undefined
          ? draft['advanced_snippet']
          : stamp(values['advanced_snippet'], now),
      rules: values['rules'] === undefined ? draft['rules'] : sortRules(values['rules'] as JsonObject[], now),
      validation: { errors: [], state: 'edited' },
    }));
  },
});

/** PUT `_filtering/_validation`: what the connector service makes of the draft. */
export const updateFilteringValidation: Handler = connectorUpdate({
  body: {
    name: 'connector_update_filtering_validation',
    fields: { validation: { type: nested(validationBody), required: true } },
  },
  apply: (cluster, id, values) =>
    changeDraft(cluster, id, (draft) => ({ ...draft, validation: values['validation'] })),
});

/** PUT `_filtering/_activate`: a valid draft becomes active. */
export const activateFiltering: Handler = connectorUpdate({
  body: undefined,
  apply: (cluster, id) => {
    const entry = firstFiltering(cluster, id);
    const draft = asObject(entry['draft']);
    const state = asObject(draft['validation'])['state'];
    if (state !== 'valid') {
      throw statusException(
        'Filtering draft needs to be validated by the connector service before activation. ' +
          `Current filtering draft validation state [${state}] is not equal to [valid].`,
      );
    }
    return cluster.connectors.update(id, { filtering: [{ ...entry, active: structuredClone(draft) }] });
  },
});

function changeDraft(
  cluster: Cluster,
  id: string,
  change: (draft: JsonObject) => JsonObject,
): ReturnType<Cluster['connectors']['update']> {
  const entry = firstFiltering(cluster, id);
  return cluster.connectors.update(id, {
    filtering: [{ ...entry, draft: change(asObject(entry['draft'])) }],
  });
}

/** Connectors keep their filtering as a list of one. */
function firstFiltering(cluster: Cluster, id: string): JsonObject {
  const filtering = findConnector(cluster, id)['filtering'];
  return asObject(Array.isArray(filtering) ? filtering[0] : undefined);
}

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function stampRules(rules: unknown, now: string): JsonObject {
  const { advanced_snippet: snippet, rules: list, validation } = asObject(rules);
  return {
    advanced_snippet: stamp(snippet, now),
    rules: Array.isArray(list) ? list.map((rule) => stamp(rule, now)) : [],
    validation,
  };
}

/** Gives what lacks its instants the present one; members end in alphabetical order, as they are written. */
function stamp(value: unknown, now: string): JsonObject {
  const stamped: JsonObject = { created_at: now, updated_at: now, ...asObject(value) };
  return Object.fromEntries(Object.entries(stamped).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Rules by their order, the rule that includes everything last (source: `ConnectorFiltering`). */
function sortRules(rules: readonly JsonObject[], now: string): JsonObject[] {
  const isDefault = (rule: JsonObject): boolean =>
    rule['id'] === 'DEFAULT' &&
    rule['field'] === '_' &&
    rule['policy'] === 'include' &&
    rule['rule'] === 'regex' &&
    rule['value'] === '.*';
  const others = rules
    .filter((rule) => !isDefault(rule))
    .map((rule) => stamp(rule, now))
    .sort((a, b) => Number(a['order']) - Number(b['order']));
  const createdAt = rules.find(isDefault)?.['created_at'] ?? now;
  const order = others.length === 0 ? 0 : Number(others.at(-1)?.['order']) + 1;
  return [
    ...others,
    {
      created_at: createdAt,
      field: '_',
      id: 'DEFAULT',
      order,
      policy: 'include',
      rule: 'regex',
      updated_at: now,
      value: '.*',
    },
  ];
}
