# Fails outside the deployment window, unless somebody declared an emergency.
set -eu
if [ "$WINDOW_ZONE" != UTC ] && [ ! -e "/usr/share/zoneinfo/$WINDOW_ZONE" ]; then
  # date would take an unknown zone for UTC and say nothing.
  echo "this machine does not know the time zone $WINDOW_ZONE; install tzdata" >&2
  exit 1
fi
now=$(TZ=$WINDOW_ZONE date '+%u %H %M')
day=${now%% *}
time=${now#* }
hour=${time% *}
minute=${time#* }
minutes=$((${hour#0} * 60 + ${minute#0}))
inside=no
for open in $WINDOW_DAYS; do
  if [ "$day" = "$open" ] && [ "$minutes" -ge "$WINDOW_OPENS" ] && [ "$minutes" -lt "$WINDOW_CLOSES" ]; then
    inside=yes
  fi
done
if [ "$inside" = yes ]; then
  echo "inside the deployment window $WINDOW"
elif [ "${EMERGENCY:-}" = true ]; then
  echo "outside the deployment window $WINDOW, but this is an emergency"
else
  echo "outside the deployment window $WINDOW: run again inside it, or as an emergency" >&2
  exit 1
fi
