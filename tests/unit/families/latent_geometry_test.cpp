#include "families/latent_geometry.h"

#include <gtest/gtest.h>

namespace t2v {
namespace {

constexpr LatentGeometry kWan21{16, 4, 8, {1, 2, 2}};

TEST(LatentGeometry, CountsTheTokensOfAClip) {
  const LatentShape shape = kWan21.latents({.num_frames = 81, .height = 480, .width = 832});
  EXPECT_EQ(shape.channels, 16);
  EXPECT_EQ(shape.frames, 21);
  EXPECT_EQ(shape.height, 60);
  EXPECT_EQ(shape.width, 104);
  EXPECT_EQ(shape.tokens, 32760);
  EXPECT_EQ(kWan21.latents({.num_frames = 81, .height = 720, .width = 1280}).tokens, 75600);
  EXPECT_EQ(kWan21.size_multiple(), 16);
}

TEST(LatentGeometry, TheFirstLatentFrameMayHaveAsManyFramesAsTheOthers) {
  constexpr LatentGeometry geometry{
      .channels = 4, .temporal_factor = 2, .spatial_factor = 8, .first_frames = 2};
  EXPECT_EQ(geometry.latents({.num_frames = 6, .height = 8, .width = 8}).frames, 3);
  EXPECT_EQ(geometry.clip(3, 1, 1).num_frames, 6);
  EXPECT_TRUE(geometry.allows(2));
  EXPECT_FALSE(geometry.allows(1));
  EXPECT_FALSE(geometry.allows(0));
  EXPECT_FALSE(geometry.allows(5));
  EXPECT_EQ(geometry.frames_within(5), 4);
  EXPECT_EQ(geometry.frames_within(1), 2);
  EXPECT_TRUE(kWan21.allows(81));
  EXPECT_FALSE(kWan21.allows(80));
  EXPECT_EQ(kWan21.frames_within(80), 77);
  EXPECT_EQ(kWan21.frames_within(0), 1);
}

TEST(LatentGeometry, TellsTheClipOfLatents) {
  const ClipShape clip = kWan21.clip(21, 60, 104);
  EXPECT_EQ(clip.num_frames, 81);
  EXPECT_EQ(clip.height, 480);
  EXPECT_EQ(clip.width, 832);
}

}  // namespace
}  // namespace t2v
