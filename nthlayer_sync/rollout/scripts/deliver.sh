# Gives the new version its share of traffic step by step, and looks after each whether it does well.
set -eu
# roll_back acts only on what this very run began; a file from another run may still lie here.
echo "${GITHUB_RUN_ID:-}.${GITHUB_RUN_ATTEMPT:-}.${CI_JOB_ID:-}" > .nthlayer-delivery
for PERCENT in $STEPS; do
  export PERCENT
  echo "deploying: $PERCENT percent"
  sh -ec "$DEPLOY_COMMAND"
  echo "watching for $BAKE_SECONDS seconds"
  sleep "$BAKE_SECONDS"
  sh -ec "$VERIFY_COMMAND"
done
