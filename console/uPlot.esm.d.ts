/** The charts' package, under the name that the door serves it by. */
export { default } from 'uplot';
