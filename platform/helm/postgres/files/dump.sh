# Dumps each database whole and reads the dump back; only then it gets its name, and the oldest ones go.
# To bring one back, from any machine with the role's password:
#   pg_restore --clean --if-exists --no-owner --host=... --username=feast --dbname=feast feast-DATE.dump
set -eu
umask 077
PATH=/usr/lib/postgresql/15/bin:$PATH
folder=/var/lib/postgresql/dumps
# What a run left that was cut off.
find "$folder" -name '.*.part' -mmin +60 -delete
for name in $DATABASES; do
    part=$folder/.$name-$HOSTNAME.part
    PGPASSWORD=$(cat "/run/secrets/postgres/$name/password") pg_dump --host="$SERVER" --username="$name" \
        --dbname="$name" --format=custom --file="$part"
    pg_restore --list "$part" >/dev/null
    sync "$part"
    dump=$name-$(date -u +%Y%m%dT%H%M%SZ).dump
    mv "$part" "$folder/$dump"
    echo "$dump: $(wc -c <"$folder/$dump") bytes"
    find "$folder" -name "$name-*.dump" | sort -r | tail -n +$((KEEP + 1)) | xargs -r rm
done
