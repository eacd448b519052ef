// How a job's status is written.

export const STATUS = {
  running: 'Running',
  completed: 'Completed',
  completed_with_errors: 'Completed with errors',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

export function showStatus(node, status) {
  node.className = `status ${status}`;
  node.textContent = STATUS[status] ?? status;
}
