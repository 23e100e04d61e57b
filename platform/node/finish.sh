# Runs once inside the node image while it is built. $1: Kubernetes version; $2: yes where OOM scores cannot be lowered.
for name in kubeadm kubelet kubectl; do ln -sf kube-node /usr/bin/$name; done
printf '%s' "$1" >/kind/version

chmod 755 /kind /kind/bin /kind/bin/* /usr/local/bin/entrypoint
ln -sf /usr/bin/containerd /usr/local/bin/containerd
mkdir -p /opt/cni /etc/kubernetes/manifests /etc/cni/net.d
ln -sfn /usr/lib/cni /opt/cni/bin
ln -sf /usr/lib/systemd/systemd /sbin/init
# kind writes the pod range itself; 10.244.0.0/16 is its default.
cp /kind/ptp.conflist /etc/cni/net.d/10-ptp.conflist

if [ "$2" = yes ]; then
    sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml
fi

# A container has no devices, disks or consoles to look after: keep only what the node needs.
rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* \
    /lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/sockets.target.wants/*udev* \
    /lib/systemd/system/sockets.target.wants/*initctl* /lib/systemd/system/basic.target.wants/* \
    /lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service
echo 'ReadKMsg=no' >>/etc/systemd/journald.conf
systemctl enable kubelet.service containerd.service undo-mount-hacks.service
systemctl mask systemd-binfmt.service
