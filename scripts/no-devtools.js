// In place of react-devtools-core, which Ink loads where DEV=true; see build.js.
export default {};
