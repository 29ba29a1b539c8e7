// In the editor's page: the login form shows what the door says, as how long to wait.
$(document).on('ajaxError', (_event, { status, responseJSON }, { url }) => {
  const says = responseJSON?.error_description;
  if (/(^|\/)auth\/token$/.test(url) && status >= 400 && says) $('#node-dialog-login-failed').text(says);
});
