/** PUT `_configuration`: the fields a connector can be set up with, or their values alone. */
import { illegalArgument, statusException } from '../errors/server-exception.ts';
import {
  anything,
  boolean,
  checkedString,
  checkedStringOrNull,
  integer,
  mapOf,
  nestedArray,
  object,
  scalar,
  string,
  stringArray,
  stringOrNull,
  valueOrObject,
} from '../json/field-types.ts';
import type { BodyDeclaration } from '../json/object-parser.ts';
import { isObject, type JsonObject } from '../json/read-value.ts';
import type { Call, Prepared } from '../route.ts';
import { connectorUpdate, findConnector } from './shared.ts';

/** Keeps a text that is one of a few, in any case; the complaint is named after the kind. */
function among(kind: string, values: readonly string[]): (text: string) => string {
  return (text) => {
    const found = values.find((value) => value === text.toLowerCase());
    if (found === undefined) throw illegalArgument(`Unknown ${kind} [${text}].`);
    return found;
  };
}

const displays = ['textbox', 'textarea', 'numeric', 'toggle', 'dropdown'];
const types = ['str', 'int', 'list', 'bool'];
const validations = ['less_than', 'greater_than', 'list_type', 'included_in', 'regex'];

const fieldBody: BodyDeclaration = {
  name: 'connector_configuration',
  lenient: true,
  fields: {
    category: { type: string },
    default_value: { type: scalar },
    depends_on: {
      type: nestedArray({
        name: 'connector_configuration_dependency',
        lenient: true,
        fields: { field: { type: string, required: true }, value: { type: scalar, required: true } },
      }),
    },
    display: { type: checkedString(among('DisplayType', displays)) },
    label: { type: string, required: true },
    options: {
      type: nestedArray({
        name: 'connector_configuration_select_option',
        lenient: true,
        fields: { label: { type: string, required: true }, value: { type: scalar, required: true } },
      }),
    },
    order: { type: integer },
    placeholder: { type: stringOrNull },
    required: { type: boolean },
    sensitive: { type: boolean },
    tooltip: { type: stringOrNull },
    type: { type: checkedStringOrNull(among('ConfigurationFieldType', types)) },
    ui_restrictions: { type: stringArray },
    validations: {
      type: nestedArray({
        name: 'connector_configuration_validation',
        lenient: true,
        fields: {
          constraint: { type: anything, required: true },
          type: { type: checkedString(among('ConfigurationValidationType', validations)), required: true },
        },
      }),
    },
    value: { type: valueOrObject },
  },
};

/** Replaces the whole configuration, or sets values of fields that exist. */
export const updateConfiguration: (call: Call) => Prepared = connectorUpdate({
  body: {
    name: 'connector_update_configuration_request',
    fields: { configuration: { type: mapOf(fieldBody) }, values: { type: object } },
  },
  problems: (values) => {
    const hasConfiguration = values['configuration'] !== undefined;
    const hasValues = values['values'] !== undefined;
    if (hasConfiguration !== hasValues) return [];
    return [
      hasValues
        ? '[configuration] and [values] cannot both be provided in the same request.'
        : '[configuration] and [values] cannot both be null.',
    ];
  },
  apply: (cluster, id, values) => {
    const connector = findConnector(cluster, id);
    const { configuration } = values;
    if (isObject(configuration)) {
      const fields = Object.entries(configuration).map(([name, field]) => [name, withDefaults(field)]);
      return cluster.connectors.replaceMembers(id, {
        configuration: Object.fromEntries(fields),
        status: 'configured',
      });
    }
    const given = values['values'] as JsonObject;
    const known = isObject(connector['configuration']) ? connector['configuration'] : {};
    const unknown = Object.keys(given).filter((name) => !Object.hasOwn(known, name));
    if (unknown.length > 0) {
      throw statusException(
        `Unknown [configuration] fields in the request payload: [${unknown.join(', ')}]. ` +
          'Remove them from request or register their schema first.',
      );
    }
    const changes = Object.entries(given).map(([name, value]) => [name, { value }]);
    return cluster.connectors.update(id, {
      configuration: Object.fromEntries(changes),
      status: 'configured',
    });
  },
});

/** Members that are written even where the request left them out (source: `ConnectorConfiguration`). */
function withDefaults(field: unknown): JsonObject {
  const given = isObject(field) ? field : {};
  const present = Object.entries(given).filter(([, value]) => value !== null);
  return {
    default_value: null,
    required: false,
    sensitive: false,
    value: null,
    ...Object.fromEntries(present),
  };
}
