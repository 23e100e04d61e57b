# Makes an empty volume a database cluster, gives each database its role and password, then becomes PostgreSQL.
set -euf
umask 077
# The programs themselves: /usr/bin has scripts of the same names, which not every image can run.
PATH=/usr/lib/postgresql/15/bin:$PATH
# Below the root of the volume, where a file system may keep folders of its own.
export PGDATA=/var/lib/postgresql/data/cluster
options="-c config_file=/etc/tarmac/postgresql.conf -c hba_file=/etc/tarmac/pg_hba.conf"

if [ ! -e "$PGDATA" ]; then
    # Complete or not there at all, whenever this is cut off. Text sorts by its bytes: no index ever depends on the
    # version of a library in the image.
    rm -rf "$PGDATA.new"
    initdb --pgdata="$PGDATA.new" --username=postgres --encoding=UTF8 --lc-collate=C --lc-ctype=C.UTF-8 \
        --auth-local=peer --auth-host=scram-sha-256 --data-checksums --no-instructions
    mv "$PGDATA.new" "$PGDATA"
fi
# A volume that is given to our group opens folders to it; PostgreSQL refuses those.
chmod 700 "$PGDATA"

# Roles and passwords are put right where what they are made of is not what it was at the last time.
wanted=$({
    cat /etc/tarmac/start.sh /etc/tarmac/database.sql
    for name in $DATABASES; do echo "$name" && cat "/run/secrets/postgres/$name/password"; done
} | sha256sum)
if [ "$(cat "$PGDATA/tarmac.applied" 2>/dev/null)" != "$wanted" ]; then
    # Through its socket alone: nobody comes in over the network before the passwords are those of the Secrets.
    pg_ctl start --silent --wait --timeout=300 --options="$options -c listen_addresses=''"
    for name in $DATABASES; do
        psql --no-psqlrc --quiet --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --set=name="$name" \
            --set=file="/run/secrets/postgres/$name/password" --file=/etc/tarmac/database.sql
    done
    pg_ctl stop --silent --wait --timeout=300 --mode=fast
    echo "$wanted" >"$PGDATA/tarmac.applied"
fi
# shellcheck disable=SC2086
exec postgres $options
