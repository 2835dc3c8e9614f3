# Copyright 2026 The hybrid_pose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The published networks written out plainly, from their description, to compare ours with.

Functions of a dictionary of tensors under the published names; nothing of the package is used.
"""

import math
from functools import partial

import torch
import torch.nn.functional as F

JOINTS = 13
HEADS = {'in': (32, 32), '1': (64, 64), '2': (128, 128), '3': (256, 256), '4': (512, 256),
         '5': (256, 256), '6': (128, 128), '7': (64, 64), '8': (32, 32)}


class Weights:
    """Random tensors, made when they are first asked for, so that a network names its own.

    `share` is of the channels that are published; `training` is for batch normalization.
    """

    def __init__(self, share=1.0, training=False):
        self.tensors, self.share, self.training = {}, share, training
        self._generator = torch.Generator().manual_seed(0)

    def __getitem__(self, key):
        """Return a tensor for (name, *shape)."""
        name, *shape = key
        if name not in self.tensors:
            fan_in = math.prod(shape[1:]) or 1
            noise = torch.randn(shape, generator=self._generator, dtype=torch.float64)
            value = noise / fan_in ** 0.5
            if name.endswith('running_var'):
                value = 0.1 + noise.square()
            elif 'norm' in name or 'bn' in name or 'static_conv.1' in name:
                value = 1 + 0.3 * noise if name.endswith('weight') else 0.3 * noise
            self.tensors[name] = value
        return self.tensors[name]

    def conv(self, maps, name, out, kernel, stride=1, bias=False):
        """Return a convolution with "same" zero padding; `out` channels are as published."""
        out = self.channels(out)
        weight = self[f'{name}.weight', out, maps.shape[1], kernel, kernel]
        bias = self[f'{name}.bias', out] if bias else None
        return F.conv2d(maps, weight, bias, stride, kernel // 2)

    def channels(self, published):
        """Return how many channels there are for so many published ones."""
        return published if published == JOINTS else round(self.share * published)

    def norm(self, maps, name):
        """Return batch normalization; in training it updates the running statistics."""
        weight, bias, mean, variance = (
            self[f'{name}.{part}', maps.shape[1]]
            for part in ('weight', 'bias', 'running_mean', 'running_var'))
        return F.batch_norm(maps, mean, variance, weight, bias, self.training, 0.1, 1e-5)


def doubled(maps):
    """Return maps of twice the size, bilinear."""
    return F.interpolate(maps, scale_factor=2, mode='bilinear', align_corners=False)


def leaky(maps):
    """Return LeakyReLU of slope 0.1."""
    return F.leaky_relu(maps, 0.1)


def ann(w, frame, suffix=''):
    """Return heatmaps and the feature maps s1 ... s6, a1 ... a5."""
    def conv(maps, name, out, kernel):
        return leaky(w.conv(maps, name, out, kernel, bias=True))

    maps = conv(frame, f'conv1{suffix}', 32, 7)
    maps = conv(maps, f'conv2{suffix}', 32, 7)
    features = {'s1': maps}
    for level, (out, kernel) in enumerate(((64, 5), (128, 3), (256, 3), (512, 3), (512, 3)), 1):
        maps = conv(F.avg_pool2d(maps, 2), f'down{level}{suffix}.conv1', out, kernel)
        maps = conv(maps, f'down{level}{suffix}.conv2', out, kernel)
        features[f's{level + 1}'] = maps
    for level, out in enumerate((512, 256, 128, 64, 32), 1):
        maps = conv(doubled(maps), f'up{level}{suffix}.conv1', out, 3)
        maps = torch.cat([maps, features[f's{6 - level}']], 1)
        maps = conv(maps, f'up{level}{suffix}.conv2', out, 3)
        features[f'a{level}'] = maps
    return w.conv(maps, f'conv3{suffix}', JOINTS, 3, bias=True), features


def head(w, name, feature, out):
    """Return what a state is set to, from a feature map."""
    if feature.shape[1] > w.channels(out):
        feature = doubled(feature)
    maps = leaky(w.norm(w.conv(feature, f'{name}.conv1', out, 1, bias=True), f'{name}.norm_layer'))
    return w.norm(w.conv(maps, f'{name}.conv2', out, 1, bias=True), f'{name}.norm_layer2')


class PlainSnn:
    """The spiking U-Net; remembers membrane potentials."""

    def __init__(self, w, tau, names):
        self.w, self.tau, self.names, self.v = w, tau, names, {}

    def fire(self, x, layer):
        """Return spikes of neurons whose input is x."""
        v = self.v.get(layer, torch.zeros_like(x))
        v = v + (x - v) / self.tau
        spikes = (v >= 1.0).to(x)
        self.v[layer] = v - spikes * 1.0
        return spikes

    def conv(self, maps, layer, out, kernel, stride=1):
        """Return a convolution and its batch normalization."""
        conv, norm = self.names[layer]
        return self.w.norm(self.w.conv(maps, conv, out, kernel, stride), norm)

    def last_spikes(self, counts):
        """Return what the output layer sees, after a bin of counts."""
        x0 = self.fire(self.conv(counts, 'enc0', 32, 5), 'enc0')
        x1 = self.fire(self.conv(x0, 'down1', 64, 5, 2), 'down1')
        x2 = self.fire(self.conv(x1, 'down2', 128, 5, 2), 'down2')
        x3 = self.fire(self.conv(x2, 'down3', 256, 5, 2), 'down3')
        m = self.fire(self.conv(x3, 'res1', 256, 3), 'res1')
        r = self.fire(self.conv(m, 'res2', 256, 3) + x3, 'res2')
        u1 = self.fire(self.conv(doubled(torch.cat([r, x3], 1)), 'up1', 128, 5), 'up1')
        u2 = self.fire(self.conv(doubled(torch.cat([u1, x2], 1)), 'up2', 64, 5), 'up2')
        u3 = self.fire(self.conv(doubled(torch.cat([u2, x1], 1)), 'up3', 32, 5), 'up3')
        return torch.cat([u3, x0], 1)


def spiking_names(suffix, first, residual):
    """Return the names of convolution and normalization of each spiking layer."""
    names = {'enc0': first}
    for level in (1, 2, 3):
        names[f'down{level}'] = (f'down{level}{suffix}.conv.conv2d',
                                 f'down{level}{suffix}.conv.norm_layer')
        names[f'up{level}'] = f'up{level}{suffix}.conv2d', f'up{level}{suffix}.norm_layer'
    for number in (1, 2):
        names[f'res{number}'] = f'{residual}.conv{number}', f'{residual}.bn{number}'
    return names


def run_snn(w, frame, bins):
    """Return the heatmaps of each bin of the SNN that runs alone."""
    snn = PlainSnn(w, 2.0, spiking_names('', ('static_conv.0', 'static_conv.1'),
                                         'residualBlock.0'))
    v = torch.zeros(())
    for counts in bins:
        x = w.conv(snn.last_spikes(counts), 'temporalflat.conv2d', JOINTS, 1)
        v = v + (w.norm(x, 'temporalflat.norm_layer') - v) / 2.0
        yield v


def initialized(w, frame, with_states=True):
    """Return the ANN's heatmaps, and the SNN, its potentials set."""
    y, features = ann(w, frame, '_cnn')
    snn = PlainSnn(w, 3.0, spiking_names(
        '_snn', ('static_conv_snn.conv2d', 'static_conv_snn.norm_layer'), 'residualBlock_snn'))
    sources = ('s1', 's2', 's3', 's4', 'a1', 'a2', 'a3', 'a4', 'a5')
    layers = ('enc0', 'down1', 'down2', 'down3', 'res1', 'res2', 'up1', 'up2', 'up3')
    for (name, (_, out)), source, layer in zip(HEADS.items(), sources, layers, strict=True):
        potentials = head(w, f'states_{name}', features[source], out)
        if with_states:
            snn.v[layer] = potentials
    return y, snn


def run_hybrid_snn(w, frame, bins, with_states=True):
    """Return the heatmaps of each bin of the hybrid."""
    y, snn = initialized(w, frame, with_states)
    for counts in bins:
        y = 0.8 * y + w.conv(snn.last_spikes(counts), 'temporalflat_snn.conv2d', JOINTS, 1)
        yield y


def run_hybrid_snn_no_output_init(w, frame, bins):
    """Return the heatmaps of each bin: potentials of neurons that begin at 0."""
    _, snn = initialized(w, frame)
    v = torch.zeros(())
    for counts in bins:
        x = w.conv(snn.last_spikes(counts), 'temporalflat_snn.conv2d', JOINTS, 1)
        v = v + (w.norm(x, 'temporalflat_snn.norm_layer') - v) / 3.0
        yield v


def run_ann(w, frame, bins):
    """Return the ANN's heatmaps for each bin."""
    heatmaps, _ = ann(w, frame)
    for _ in bins:
        yield heatmaps


class PlainRnn:
    """The recurrent U-Net; remembers hidden states and cells."""

    def __init__(self, w, hidden=()):
        self.w = w
        self.states = [(h, torch.zeros_like(h)) for h in hidden]

    def __call__(self, counts):
        """Return the output for a bin of counts."""
        w = self.w
        x = head_out = F.relu(w.conv(counts, 'unetrecurrent.head.conv2d', 32, 5, bias=True))
        blocks = []
        for level, out in enumerate((64, 128, 256)):
            name = f'unetrecurrent.encoders.{level}'
            x = F.relu(w.norm(w.conv(x, f'{name}.conv.conv2d', out, 5, 2),
                              f'{name}.conv.norm_layer'))
            if len(self.states) <= level:
                self.states.append((torch.zeros_like(x), torch.zeros_like(x)))
            hidden, cell = self.states[level]
            gates = w.conv(torch.cat([x, hidden], 1), f'{name}.recurrent_block.Gates', 4 * out, 3,
                           bias=True)
            i, f, o, g = gates.chunk(4, 1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            x = torch.sigmoid(o) * torch.tanh(cell)
            self.states[level] = x, cell
            blocks.append(x)
        for number in (0, 1):
            name = f'unetrecurrent.resblocks.{number}'
            y = F.relu(w.norm(w.conv(x, f'{name}.conv1', 256, 3), f'{name}.bn1'))
            x = F.relu(w.norm(w.conv(y, f'{name}.conv2', 256, 3), f'{name}.bn2') + x)
        for number, out in enumerate((128, 64, 32)):
            name = f'unetrecurrent.decoders.{number}'
            x = x + blocks[2 - number]
            weight = w[f'{name}.transposed_conv2d.weight', x.shape[1], w.channels(out), 5, 5]
            x = F.conv_transpose2d(x, weight, None, stride=2, padding=2, output_padding=1)
            x = F.relu(w.norm(x, f'{name}.norm_layer'))
        x = w.conv(x + head_out, 'unetrecurrent.pred.conv2d', JOINTS, 1)
        return F.leaky_relu(w.norm(x, 'unetrecurrent.pred.norm_layer'), 1.0)


def run_rnn(w, frame, bins):
    """Return the heatmaps of each bin of the RNN that runs alone."""
    yield from map(PlainRnn(w), bins)


def run_hybrid_rnn(w, frame, bins, with_states=True):
    """Return the heatmaps of each bin of ANN and RNN together."""
    y, features = ann(w, frame, '_cnn')
    hidden = [head(w, f'states_{level}', features[f's{level + 1}'], out)
              for level, out in ((1, 64), (2, 128), (3, 256))]
    rnn = PlainRnn(w, hidden if with_states else ())
    for counts in bins:
        y = 0.8 * y + rnn(counts)
        yield y


RUNS = {'ann': run_ann, 'snn': run_snn, 'rnn': run_rnn, 'hybrid_rnn': run_hybrid_rnn,
        'hybrid_snn': run_hybrid_snn,
        'hybrid_snn_no_state_init': partial(run_hybrid_snn, with_states=False),
        'hybrid_snn_no_output_init': run_hybrid_snn_no_output_init,
        'hybrid_rnn_no_state_init': partial(run_hybrid_rnn, with_states=False)}
