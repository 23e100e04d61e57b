package main

import (
	"context"
	"os"
	"path/filepath"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const provisioner = "tarmac.dev/folders"

// folders makes volumes as folders of the one node's disk. The usual provisioner starts a pod to make a folder and a
// pod to remove it; where ten pods start at once, as when a lab is reset, those are what everything waits for.
type folders struct{ root, node string }

// Provision makes the folder of a claim, open to whatever user its pod has.
func (f folders) Provision(
	_ context.Context, asked controller.ProvisionOptions,
) (*core.PersistentVolume, controller.ProvisioningState, error) {
	path := filepath.Join(f.root, asked.PVName)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	if err := os.Chmod(path, 0o777); err != nil { // what the process' mask took away
		return nil, controller.ProvisioningFinished, err
	}
	here := core.NodeSelectorRequirement{
		Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{f.node},
	}
	terms := []core.NodeSelectorTerm{{MatchExpressions: []core.NodeSelectorRequirement{here}}}
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: asked.PVName},
		Spec: core.PersistentVolumeSpec{
			AccessModes:                   asked.PVC.Spec.AccessModes,
			Capacity:                      core.ResourceList(asked.PVC.Spec.Resources.Requests),
			NodeAffinity:                  &core.VolumeNodeAffinity{Required: &core.NodeSelector{NodeSelectorTerms: terms}},
			PersistentVolumeReclaimPolicy: *asked.StorageClass.ReclaimPolicy,
			PersistentVolumeSource: core.PersistentVolumeSource{
				HostPath: &core.HostPathVolumeSource{Path: path},
			},
		},
	}, controller.ProvisioningFinished, nil
}

// Delete removes the folder with all that is in it.
func (f folders) Delete(_ context.Context, volume *core.PersistentVolume) error {
	return os.RemoveAll(filepath.Join(f.root, volume.Name))
}

// provision serves claims until the process ends.
func provision() error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	served := folders{root: os.Getenv("VOLUMES"), node: os.Getenv("NODE")}
	// One replica, replaced only when it has ended: nobody to elect a leader among.
	controller.NewProvisionController(
		context.Background(), client, provisioner, served, controller.LeaderElection(false),
	).Run(context.Background())
	return nil
}
