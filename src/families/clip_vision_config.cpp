#include "families/clip_vision_config.h"

#include <string>

#include "families/layer_limit.h"

namespace t2v {

CLIPVisionConfig CLIPVisionConfig::from_config(const Config& config) {
  CLIPVisionConfig c;
  c.hidden_size = config.integer("hidden_size", c.hidden_size);
  c.intermediate_size = config.integer("intermediate_size", c.intermediate_size);
  c.num_hidden_layers = config.integer("num_hidden_layers", c.num_hidden_layers, 1, kMostLayers);
  c.num_attention_heads = config.integer("num_attention_heads", c.num_attention_heads);
  if (c.hidden_size % c.num_attention_heads != 0) {
    config.fail("num_attention_heads", "a divisor of hidden_size");
  }
  c.num_channels = config.integer("num_channels", c.num_channels);
  c.image_size = config.integer("image_size", c.image_size, 1, 4096);
  c.patch_size = config.integer("patch_size", c.patch_size, 1, c.image_size);
  const std::string activation = config.text("hidden_act", "quick_gelu");
  if (activation != "quick_gelu" && activation != "gelu") config.fail("hidden_act", "gelu or quick_gelu");
  c.quick_gelu = activation == "quick_gelu";
  c.layer_norm_eps = config.number("layer_norm_eps", c.layer_norm_eps);
  return c;
}

}  // namespace t2v
