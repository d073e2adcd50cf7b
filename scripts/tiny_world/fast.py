"""Whole-sequence and shortened forms of the reference modules, for training; equal to the originals up to rounding."""

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders import autoencoder_kl_wan as wan


def _causal_conv(self, x, cache_x=None):
    """Causal convolution of [B,C,T,H,W]; by its newest temporal tap alone for one frame or where the older taps stay zero."""
    b, c, t, h, w = x.shape
    if self.kernel_size[0] == 3 and (t == 1 or getattr(self, "frame_by_frame", False)):
        flat = x.permute(0, 2, 1, 3, 4).reshape(b * t, c, h, w)
        flat = F.conv2d(flat, self.weight[:, :, 2], self.bias, padding=self._padding[0])
        return flat.view(b, t, *flat.shape[1:]).permute(0, 2, 1, 3, 4)
    pad = self._padding
    x = F.pad(x, (0, 0, 0, 0, pad[4], 0))
    return F.conv3d(x, self.weight, self.bias, padding=(0, pad[2], pad[0]))


def _rms_norm(self, x):
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().sum(1, keepdim=True).clamp_min(1e-12)) * (self.gamma * self.scale)).to(x.dtype)


def _resample(self, x, feat_cache=None, feat_idx=None):
    """Up- or downsampling of a whole sequence [B,C,T,H,W] at once."""
    b, c, t, h, w = x.shape
    if self.mode == "upsample3d" and t > 1:
        later = F.conv3d(F.pad(x[:, :, 1:], (0, 0, 0, 0, 2, 0)), self.time_conv.weight, self.time_conv.bias)
        later = later.view(b, 2, c, t - 1, h, w).permute(0, 2, 3, 1, 4, 5).reshape(b, c, 2 * t - 2, h, w)
        x = torch.cat([x[:, :, :1], later], 2)
    t = x.shape[2]
    flat = x.permute(0, 2, 1, 3, 4).reshape(b * t, c, h, w)
    flat = flat.contiguous(memory_format=torch.channels_last)
    if self.mode.startswith("up"):
        flat = F.interpolate(flat, scale_factor=2.0, mode="nearest")
        flat = self.resample[1](flat)
    else:
        flat = self.resample(flat)
    x = flat.view(b, t, *flat.shape[1:]).permute(0, 2, 1, 3, 4)
    if self.mode == "downsample3d" and t > 1:
        x = torch.cat([x[:, :, :1], F.conv3d(x, self.time_conv.weight, self.time_conv.bias, stride=(2, 1, 1))], 2)
    return x


def whole_sequence_vae():
    """Makes the reference VAE modules run on whole clips instead of chunks."""
    wan.WanCausalConv3d.forward = _causal_conv
    wan.WanRMS_norm.forward = _rms_norm
    wan.WanResample.forward = _resample


def frame_by_frame(vae):
    """Marks the convolutions at full and half size, which see each frame for itself: motion is the coarser ones' work."""
    encoder, decoder = vae.encoder, vae.decoder
    for part in (encoder.conv_in, *encoder.down_blocks[:3], *decoder.up_blocks[2:], decoder.conv_out):
        for module in part.modules():
            module.frame_by_frame = True


def encode(vae, x):
    """Mean and log-variance [B,z,T',H/8,W/8] of clips [B,3,T,H,W] in -1..1."""
    moments = vae.quant_conv(vae.encoder(x)).float()
    mean, log_variance = moments.chunk(2, 1)
    return mean, log_variance.clamp(-30, 20)


def decode(vae, z):
    """Clips [B,3,T,H,W] of latents [B,z,T',H/8,W/8]."""
    return vae.decoder(vae.post_quant_conv(z))


def _rotate(x, cos, sin):
    """Rotary embedding of [B,S,H,D] with interleaved pairs; cos and sin [1,S,1,D/2]."""
    pairs = x.unflatten(-1, (-1, 2))
    a, b = pairs[..., 0], pairs[..., 1]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


def rope_tables(model, x):
    """Cosines and sines [1,S,1,D/2] of the rotary embedding for latents x [B,C,T,H,W]."""
    cos, sin = model.rope(x)
    return cos[..., ::2].contiguous(), sin[..., ::2].contiguous()


def _project(x, layers):
    """Several linear layers of the same input as one product."""
    weight = torch.cat([layer.weight for layer in layers])
    bias = torch.cat([layer.bias for layer in layers])
    return F.linear(x, weight, bias).chunk(len(layers), -1)


def _norm(x, layer):
    """Root-mean-square norm over the last dimension."""
    x = x.float()
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + layer.eps) * layer.weight


def _attend(q, k, v, bias=None):
    """Attention [B,S,H,D] of queries [B,S,H,D] over N keys and values; written out, since the fused one is slow in bfloat16 on CPU."""
    q = (q * q.shape[-1] ** -0.5).to(v.dtype).transpose(1, 2)
    scores = (q @ k.to(v.dtype).permute(0, 2, 3, 1)).float()
    if bias is not None:
        scores = scores + bias
    return (scores.softmax(-1).to(v.dtype) @ v.transpose(1, 2)).transpose(1, 2)


def transformer(model, x, time, text, tables, padding, tap=None):
    """The transformer's output [B,C,T,H,W] for latents x, times [B] in 0..1000 and text rows [B,N,D].

    `padding` [1] is the number of zero rows that follow the N rows of text; they are one row here, whose logit is raised by its logarithm.
    With `tap`, also the tokens [B,S,D] after that many blocks.
    """
    cos, sin = tables
    b, _, frames, height, width = x.shape
    heads = model.config.num_attention_heads
    eps = model.config.eps
    h = model.patch_embedding(x).flatten(2).transpose(1, 2).float()
    embedder = model.condition_embedder
    temb = embedder.time_embedder(embedder.timesteps_proj(time)).float()
    modulation = embedder.time_proj(F.silu(temb)).unflatten(1, (6, -1))
    context = embedder.text_embedder(torch.cat([text, torch.zeros_like(text[:, :1])], 1))
    bias = torch.cat([torch.zeros(text.shape[1], device=x.device), padding.log()])
    tapped = None
    for index, block in enumerate(model.blocks):
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = (block.scale_shift_table + modulation).unsqueeze(2).unbind(1)
        attention = block.attn1
        a = F.layer_norm(h, h.shape[-1:], eps=eps) * (1 + scale_a) + shift_a
        q, k, v = (part.unflatten(2, (heads, -1)) for part in _project(a, (attention.to_q, attention.to_k, attention.to_v)))
        q = _rotate(_norm(q.flatten(2), attention.norm_q).unflatten(2, (heads, -1)), cos, sin)
        k = _rotate(_norm(k.flatten(2), attention.norm_k).unflatten(2, (heads, -1)), cos, sin)
        h = h + attention.to_out[0](_attend(q, k, v).flatten(2)) * gate_a
        attention = block.attn2
        q = _norm(attention.to_q(F.layer_norm(h, h.shape[-1:], block.norm2.weight, block.norm2.bias, eps)), attention.norm_q)
        k, v = _project(context, (attention.to_k, attention.to_v))
        k = _norm(k, attention.norm_k)
        h = h + attention.to_out[0](_attend(*(part.unflatten(2, (heads, -1)) for part in (q, k, v)), bias).flatten(2))
        a = F.layer_norm(h, h.shape[-1:], eps=eps) * (1 + scale_f) + shift_f
        h = h + block.ffn(a) * gate_f
        if index + 1 == tap:
            tapped = h
    shift, scale = (model.scale_shift_table + temb.unsqueeze(1)).chunk(2, 1)
    out = model.proj_out(F.layer_norm(h, h.shape[-1:], eps=eps) * (1 + scale) + shift)
    out = out.view(b, frames, height // 2, width // 2, 2, 2, -1)
    out = out.permute(0, 6, 1, 2, 4, 3, 5).reshape(b, -1, frames, height, width)
    return out if tap is None else (out, tapped)
