# Writes this pod's configuration, the password included, where nobody else reads it, then becomes Redis.
set -euf
umask 077
config=/run/redis/redis.conf
# In the form that Redis reads between quotes.
password=$(sed 's/["\\]/\\&/g' /run/secrets/redis/password)
{
    cat /etc/tarmac/redis.conf
    # A builtin of the shell: no process ever carries the password as an argument.
    printf 'requirepass "%s"\nmasterauth "%s"\n' "$password" "$password"
    # Every pod but the first is a copy of the first.
    [ "${POD_NAME##*-}" = 0 ] || echo "replicaof $PRIMARY 6379"
} >$config
exec redis-server $config
