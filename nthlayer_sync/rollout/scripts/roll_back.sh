# Takes back what this run deployed; does nothing when it deployed nothing.
set -eu
if [ "$(cat .nthlayer-delivery 2>/dev/null)" = "${GITHUB_RUN_ID:-}.${GITHUB_RUN_ATTEMPT:-}.${CI_JOB_ID:-}" ]; then
  echo "rolling back"
  sh -ec "$ROLL_BACK_COMMAND"
fi
