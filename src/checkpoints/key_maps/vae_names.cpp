#include "checkpoints/key_maps/naming.h"

// The original names are those of https://github.com/Wan-Video/Wan2.2 (wan/modules/vae2_1.py, vae2_2.py).

namespace t2v {
namespace {

/// What is inside a block, of whichever kind.
RenameTable inside_block() {
  return {
      {"residual.0.*", "norm1.*"},    {"residual.2.*", "conv1.*"},       {"residual.3.*", "norm2.*"},
      {"residual.6.*", "conv2.*"},    {"shortcut.*", "conv_shortcut.*"}, {"resample.*", "resample.*"},
      {"time_conv.*", "time_conv.*"},
  };
}

void add_half(const std::string& half, RenameTable& table) {
  const RenameTable block = inside_block();
  table.push_back({half + ".conv1.*", half + ".conv_in.*"});
  table.push_back({half + ".middle.0.*", half + ".mid_block.resnets.0.*", block});
  table.push_back({half + ".middle.1.*", half + ".mid_block.attentions.0.*"});
  table.push_back({half + ".middle.2.*", half + ".mid_block.resnets.1.*", block});
  table.push_back({half + ".head.0.*", half + ".norm_out.*"});
  table.push_back({half + ".head.2.*", half + ".conv_out.*"});
}

}  // namespace

RenameTable original_vae_names() {
  RenameTable table = {{"conv1.*", "quant_conv.*"}, {"conv2.*", "post_quant_conv.*"}};
  add_half("encoder", table);
  add_half("decoder", table);
  table.push_back({"encoder.downsamples.#.*", "encoder.down_blocks.#.*", inside_block()});
  return table;
}

RenameTable vae_levels(const std::function<bool(const std::string&)>& has) {
  constexpr int kMostBlocks = 1000;
  const RenameTable block = inside_block();
  const auto is_resample = [&](const std::string& name) { return has(name + ".resample.1.weight"); };
  const auto is_block = [&](const std::string& name) { return has(name + ".residual.2.weight"); };
  const auto entry = [&](const std::string& from, const std::string& to) {
    return Rename{from + ".*", to + ".*", block};
  };
  const auto number = [](int value) { return std::to_string(value); };
  RenameTable table;
  // Wan2.1: one list; what comes up to an upsampler is a level.
  for (int n = 0, level = 0, resnet = 0; n < kMostBlocks; ++n) {
    const std::string from = "decoder.upsamples." + number(n), to = "decoder.up_blocks." + number(level);
    if (is_resample(from)) {
      table.push_back(entry(from, to + ".upsamplers.0"));
      ++level;
      resnet = 0;
    } else if (is_block(from)) {
      table.push_back(entry(from, to + ".resnets." + number(resnet++)));
    } else {
      break;
    }
  }
  // Wan2.2: a list for each level.
  const auto add_level = [&](const std::string& from, const std::string& to, const std::string& resample) {
    for (int n = 0; n < kMostBlocks; ++n) {
      const std::string inner = from + "." + number(n);
      if (is_resample(inner)) {
        table.push_back(entry(inner, to + "." + resample));
      } else if (is_block(inner)) {
        table.push_back(entry(inner, to + ".resnets." + number(n)));
      } else {
        return n > 0;
      }
    }
    return true;
  };
  for (int level = 0; level < kMostBlocks; ++level) {
    const std::string i = number(level);
    const bool down =
        add_level("encoder.downsamples." + i + ".downsamples", "encoder.down_blocks." + i, "downsampler");
    const bool up = add_level("decoder.upsamples." + i + ".upsamples", "decoder.up_blocks." + i, "upsampler");
    if (!down && !up) break;
  }
  return table;
}

}  // namespace t2v
