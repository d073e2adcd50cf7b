#include "families/wan/tensor_names.h"

// The original names are those of https://github.com/Wan-Video/Wan2.1 (wan/modules/t5.py, clip.py).

namespace t2v {

RenameTable transformers_text_encoder_names() {
  return {{"spiece_model", ""},
          {"encoder.*", "encoder.*"},
          {"shared.*", "shared.*"},
          {"decoder.*", ""},
          {"lm_head.*", ""}};
}

RenameTable original_text_encoder_names() {
  const RenameTable block = {
      {"norm1.*", "layer.0.layer_norm.*"},
      {"attn.q.*", "layer.0.SelfAttention.q.*"},
      {"attn.k.*", "layer.0.SelfAttention.k.*"},
      {"attn.v.*", "layer.0.SelfAttention.v.*"},
      {"attn.o.*", "layer.0.SelfAttention.o.*"},
      {"pos_embedding.embedding.*", "layer.0.SelfAttention.relative_attention_bias.*"},
      {"norm2.*", "layer.1.layer_norm.*"},
      {"ffn.gate.0.*", "layer.1.DenseReluDense.wi_0.*"},
      {"ffn.fc1.*", "layer.1.DenseReluDense.wi_1.*"},
      {"ffn.fc2.*", "layer.1.DenseReluDense.wo.*"},
  };
  return {{"blocks.#.*", "encoder.block.#.*", block},
          {"token_embedding.*", "shared.*"},
          {"norm.*", "encoder.final_layer_norm.*"}};
}

RenameTable llama_text_encoder_names() {
  const RenameTable block = {
      {"attn_norm.*", "layer.0.layer_norm.*"},
      {"attn_q.*", "layer.0.SelfAttention.q.*"},
      {"attn_k.*", "layer.0.SelfAttention.k.*"},
      {"attn_v.*", "layer.0.SelfAttention.v.*"},
      {"attn_o.*", "layer.0.SelfAttention.o.*"},
      {"attn_rel_b.*", "layer.0.SelfAttention.relative_attention_bias.*"},
      {"ffn_norm.*", "layer.1.layer_norm.*"},
      {"ffn_gate.*", "layer.1.DenseReluDense.wi_0.*"},
      {"ffn_up.*", "layer.1.DenseReluDense.wi_1.*"},
      {"ffn_down.*", "layer.1.DenseReluDense.wo.*"},
  };
  return {{"enc.blk.#.*", "encoder.block.#.*", block},
          {"token_embd.*", "shared.*"},
          {"enc.output_norm.*", "encoder.final_layer_norm.*"}};
}

RenameTable original_image_encoder_names() {
  const RenameTable layer = {
      {"norm1.*", "layer_norm1.*"},
      {"attn.to_qkv.*", "self_attn.qkv.*"},
      {"attn.proj.*", "self_attn.out_proj.*"},
      {"norm2.*", "layer_norm2.*"},
      {"mlp.0.*", "mlp.fc1.*"},
      {"mlp.2.*", "mlp.fc2.*"},
  };
  return {{"transformer.#.*", "encoder.layers.#.*", layer},
          {"cls_embedding", "embeddings.class_embedding"},
          {"pos_embedding", "embeddings.position_embedding.weight"},
          {"patch_embedding.*", "embeddings.patch_embedding.*"},
          {"pre_norm.*", "pre_layrnorm.*"},
          {"post_norm.*", "post_layernorm.*"},
          {"head", ""},
          {"head.*", ""}};
}

RenameTable open_clip_names() {
  const RenameTable layer = {
      {"ln_1.*", "layer_norm1.*"},
      {"attn.in_proj_weight", "self_attn.qkv.weight"},
      {"attn.in_proj_bias", "self_attn.qkv.bias"},
      {"attn.out_proj.*", "self_attn.out_proj.*"},
      {"ln_2.*", "layer_norm2.*"},
      {"mlp.c_fc.*", "mlp.fc1.*"},
      {"mlp.c_proj.*", "mlp.fc2.*"},
  };
  return {{"transformer.resblocks.#.*", "encoder.layers.#.*", layer},
          {"class_embedding", "embeddings.class_embedding"},
          {"positional_embedding", "embeddings.position_embedding.weight"},
          {"conv1.*", "embeddings.patch_embedding.*"},
          {"ln_pre.*", "pre_layrnorm.*"},
          {"ln_post.*", "post_layernorm.*"},
          {"proj", ""}};
}

}  // namespace t2v
